"""What coordinators work with: who may sign in, what waits for a person, what was asked, entries and their care."""
