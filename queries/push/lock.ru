#+ title: Lock
#+ description: Say that a push is under way. Whoever then finds another lock beside its own steps back.
INSERT DATA {
  GRAPH <locks> { <lock> <http://purl.org/dc/terms/creator> <owner> ; <http://purl.org/dc/terms/created> <began> }
}
