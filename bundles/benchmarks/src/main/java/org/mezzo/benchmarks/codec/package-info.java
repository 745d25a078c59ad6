/**
 * How fast messages become JSON and protobuf and back. After {@code mvn package}: {@code java -jar
 * bundles/benchmarks/target/benchmarks.jar Codec}, which takes about two minutes; the score of
 * {@code printer} divided by that of {@code jsonEncode} is the ratio to protobuf-java-util.
 */
package org.mezzo.benchmarks.codec;
