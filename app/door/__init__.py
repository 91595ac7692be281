"""The step page `/do/{visit}`: where a person answers from the portal, on the phone or at a desk."""
