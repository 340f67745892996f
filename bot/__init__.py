"""What members and coordinators can do with the knowledge; asynchronous and the same on every platform."""
