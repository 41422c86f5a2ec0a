#+ title: Unlock
#+ description: Take a lock away, one's own or a stale one.
DELETE { GRAPH <locks> { <lock> ?predicate ?object } }
WHERE { GRAPH <locks> { <lock> ?predicate ?object } }
