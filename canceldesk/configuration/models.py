"""What an admin saved on the Settings page."""

from __future__ import annotations

from django.db import models


class StoredSetting(models.Model):
    """A saved setting. Secrets are stored encrypted, never in the clear."""

    name = models.CharField(max_length=64, primary_key=True)
    text = models.TextField(blank=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
