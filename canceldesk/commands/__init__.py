"""The sub-commands of `canceldesk`, one module for each thing they are about."""
