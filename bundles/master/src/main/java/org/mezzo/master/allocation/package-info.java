/** Keeps the leased allocator in step with the ledger and turns its proposals into offers. */
package org.mezzo.master.allocation;
