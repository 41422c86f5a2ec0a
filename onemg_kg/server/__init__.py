"""Serves a site and a SPARQL endpoint over its graph: read only, with nothing to configure, fit for the open internet.

The main process speaks HTTP and holds the files. A process beside it holds the graph and forks workers, of which each evaluates
one query at a time and can be killed, and where there are several processors more processes that speak HTTP.
"""

from onemg_kg.server.settings import Settings, default_processes

__all__ = ["Settings", "default_processes", "run"]


def run(settings: Settings) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); SIGHUP reads the build anew.

    Raises:
        OnemgError: the folder holds no build, or the address is taken.
    """
    from onemg_kg.server.launch import launch

    zygote = launch(settings)
    # To import what speaks HTTP takes as long as to read the graph, which goes on meanwhile.
    from onemg_kg.server.main import main

    main(settings, zygote)
