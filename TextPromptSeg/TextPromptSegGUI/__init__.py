"""The widgets: effect, panel, and what both share; all of Qt is here."""
