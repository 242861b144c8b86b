"""Text to Prompt: wording, grammar, reading, vocabulary and anatomy; numpy only."""
