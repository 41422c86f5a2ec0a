#+ title: Forget
#+ description: Take the records of some graphs out of the manifest before the graphs change, as long as the lock is ours.
DELETE { GRAPH <manifest> { ?graph ?predicate ?object } }
WHERE {
  GRAPH <locks> { <lock> <http://purl.org/dc/terms/creator> ?owner }
  GRAPH <manifest> { ?graph ?predicate ?object }
  VALUES ?graph { <graphs> }
}
