package org.mezzo.master;
final class MasterDaemon {}
