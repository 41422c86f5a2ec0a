#+ title: Clear
#+ description: Empty a graph before it is filled within the same request, as long as the lock is ours.
DELETE { GRAPH <graph> { ?subject ?predicate ?object } }
WHERE {
  GRAPH <locks> { <lock> <http://purl.org/dc/terms/creator> ?owner }
  GRAPH <graph> { ?subject ?predicate ?object }
}
