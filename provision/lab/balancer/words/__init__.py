"""The words that a balancer of the lab answers, one module for each family of commands."""
