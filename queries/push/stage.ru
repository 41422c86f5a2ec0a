#+ title: Stage
#+ description: Add statements to a staging graph. `push` fills the place of the statement.
INSERT DATA {
  GRAPH <graph> {
    <subject> <predicate> <object> .
  }
}
