#!/usr/bin/env bash
# What the script of this name in Flink's download does with what Flink itself sent here.
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export FLINK_CONF_DIR=$home/conf
options=$(sed -n 's/^env\.java\.opts: *//p' "$FLINK_CONF_DIR/flink-conf.yaml")
# Unquoted are lists of options.
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" $JVM_ARGS $options -cp "$(printf '%s:' "$home"/lib/*.jar)" \
  org.apache.flink.mesos.entrypoint.MesosTaskExecutorRunner "$@"
