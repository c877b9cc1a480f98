-- Format 5: what a journey has to send next is found by its time, and what is tried again holds back what its participant asks for after it.

CREATE INDEX intents_next ON intents (journey, not_before) WHERE state = 'pending';
CREATE INDEX intents_again ON intents (participant, not_before) WHERE attempts > 0 AND state IN ('pending', 'held');
