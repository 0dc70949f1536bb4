"""The evidence bundle of one incident, and the verifier that travels in it."""
