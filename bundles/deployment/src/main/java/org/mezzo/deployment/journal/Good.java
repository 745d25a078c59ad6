package org.mezzo.deployment.journal;

/**
 * What to go back to for a symbolic name.
 *
 * @param digest of its bytes, which the store holds
 * @param proven whether it has passed its trial; otherwise it is merely what ran before
 */
public record Good(String symbolicName, String version, String digest, boolean proven) {}
