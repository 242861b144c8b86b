"""From text to prompts: wording, grammar, vocabulary, anatomy; numpy only."""
