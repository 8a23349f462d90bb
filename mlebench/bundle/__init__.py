"""The sealed record of one attempt: written at its end, packed for others, checked by anybody."""
