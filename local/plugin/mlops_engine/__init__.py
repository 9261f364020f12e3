"""The local engine's additions to MiniStack: what the loop needs and the stock emulator does not do."""
