"""Pictures of answers over their images."""
