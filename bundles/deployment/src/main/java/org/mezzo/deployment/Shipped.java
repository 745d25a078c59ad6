package org.mezzo.deployment;

/**
 * A jar that came with the distribution, whether it is still there or not.
 *
 * @param fileName what it was called there
 * @param digest the SHA-256 of its bytes, in hexadecimal
 */
public record Shipped(String fileName, String digest) {}
