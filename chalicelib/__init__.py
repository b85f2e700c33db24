"""Tuan: a serverless backend for community group buying. One folder a domain."""
