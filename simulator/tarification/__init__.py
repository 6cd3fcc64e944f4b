"""Acts, prices, rates, deadlines, and the rules on a care sheet: the practice keeps them, a body looks at them."""
