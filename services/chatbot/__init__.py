"""The chatbot: answers from what is known, acts for the customer, or calls a person."""
