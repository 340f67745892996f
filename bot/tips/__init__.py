"""Tips: what one co-op has learned, from the talk in which it is told to the document in which others find it."""
