"""The paper's recipe, trained and measured as the paper does."""
