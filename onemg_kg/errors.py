"""What can go wrong, as one family of exceptions that say what, where, why and what to do."""


class OnemgError(Exception):
    """The root of every error that a user can cause and mend.

    Args:
        message: what is wrong and why, in one sentence.
        source: the file, address or argument in which it was found.
        line: the line of ``source``, counted from 1.
        fix: what to do about it, in one sentence.
    """

    def __init__(self, message: str, *, source: str | None = None, line: int | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.line = line
        self.fix = fix

    def __str__(self) -> str:
        place = "" if self.source is None else self.source + ("" if self.line is None else f":{self.line}") + ": "
        return place + self.message + ("" if self.fix is None else f" {self.fix}")


class ProjectError(OnemgError):
    """The folders of the graph are not where they should be."""


class RdfError(OnemgError):
    """A file is not the RDF that it should be, or a graph cannot be written in a format."""


class QueryError(OnemgError):
    """A query file, its header or one of its parameters cannot be used."""


class InvalidGraph(OnemgError):
    """The graph violates its shapes."""


class SiteError(OnemgError):
    """The site source cannot be read."""
