#+ title: Insert
#+ description: Add statements to a graph at once, as long as the lock is ours. `push` fills the place of the statement.
INSERT {
  GRAPH <graph> {
    <subject> <predicate> <object> .
  }
}
WHERE {
  GRAPH <locks> { <lock> <http://purl.org/dc/terms/creator> ?owner }
}
