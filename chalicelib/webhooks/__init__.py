"""Telling others: endpoints, signed deliveries, and trying again until they have heard."""
