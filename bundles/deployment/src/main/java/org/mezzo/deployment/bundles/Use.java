package org.mezzo.deployment.bundles;

/** A daemon's use of one module of a bundle. */
record Use(String daemon, String kind, String name) {}
