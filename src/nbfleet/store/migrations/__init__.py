"""The schema's history. A migration never changes once it was released."""
