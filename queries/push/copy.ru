#+ title: Copy
#+ description: The second half of a swap: fill a graph from its staging graph, as long as the lock is ours.
INSERT { GRAPH <graph> { ?subject ?predicate ?object } }
WHERE {
  GRAPH <locks> { <lock> <http://purl.org/dc/terms/creator> ?owner }
  GRAPH <staged> { ?subject ?predicate ?object }
}
