"""The customer's page: where the own order is, by a link that only the customer has."""
