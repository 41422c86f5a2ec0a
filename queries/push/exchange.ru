#+ title: Exchange
#+ description: The swap: empty each graph of the plan and fill it from its staging graph, as long as the lock is ours. It is two operations for any number of graphs: Virtuoso does not compile hundreds.
DELETE { GRAPH ?graph { ?subject ?predicate ?object } }
WHERE {
  GRAPH <locks> { <lock> <http://purl.org/dc/terms/creator> ?owner }
  GRAPH <plan> { ?graph <http://purl.org/dc/terms/isReplacedBy> ?staged }
  GRAPH ?graph { ?subject ?predicate ?object }
} ;
INSERT { GRAPH ?graph { ?subject ?predicate ?object } }
WHERE {
  GRAPH <locks> { <lock> <http://purl.org/dc/terms/creator> ?owner }
  GRAPH <plan> { ?graph <http://purl.org/dc/terms/isReplacedBy> ?staged }
  GRAPH ?staged { ?subject ?predicate ?object }
}
