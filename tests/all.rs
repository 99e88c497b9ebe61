mod responses_corpus;
