"""Programs that try the product on a real cluster; nothing of the product imports them."""
