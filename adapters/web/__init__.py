"""The chat page and its JSON interface."""

from adapters.web.routes import create

__all__ = ["create"]
