"""The pages of the team desk. Everything on them works as a form too, without scripts."""
