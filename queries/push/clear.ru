#+ title: Clear
#+ description: The first half of a swap: empty a graph, as long as the lock is ours.
DELETE { GRAPH <graph> { ?subject ?predicate ?object } }
WHERE {
  GRAPH <locks> { <lock> <http://purl.org/dc/terms/creator> ?owner }
  GRAPH <graph> { ?subject ?predicate ?object }
}
