package org.mezzo.master.reads;

import java.util.Map;

/**
 * What is asked about a root, and as what it is seen: two that are equal have the same answer.
 *
 * @param path of the endpoint, however a request writes it
 * @param parameters of the query, those that the endpoint knows
 * @param visibility decided, when it is limited
 */
record Question(String path, Map<String, String> parameters, Visibility visibility) {}
