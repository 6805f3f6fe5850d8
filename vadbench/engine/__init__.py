"""Configuration to plan to run: composing a method, fitting, scoring, provenance."""
