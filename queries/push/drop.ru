#+ title: Drop
#+ description: Take a staging graph away. DROP without SILENT fails on Virtuoso for a graph that a PUT made.
DROP SILENT GRAPH <graph>
