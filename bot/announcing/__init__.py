"""Announcements: composed once, delivered to each chat once, free of charge wherever that can be, honestly accounted."""
