"""The 1+ Million Genomes (1+MG) Framework as linked data: read, infer, validate, publish, query."""

__version__ = "0.1.0"
