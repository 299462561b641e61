"""The page, for people: templates, texts, and the report on paper."""
