package org.mezzo.resources;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RoleAllocationTest {

  @Test
  void isTheSameAsAllocatingOneByOne() throws Exception {
    RoleAllocation allocation = new RoleAllocation("a/b");
    for (String text :
        new String[] {
          "cpus:1;mem:2;ports:[1-3]",
          "cpus(a):1;cpus:2",
          "gpus:1;cpus:4",
          "cpus:1;mem:2;ports:[4-9]"
        }) {
      Resources resources = Resources.parse(text, "*");
      assertThat(allocation.of(resources)).isEqualTo(resources.allocatedTo("a/b"));
      assertThat(allocation.of(resources.allocatedTo("c")))
          .as("another role gives way")
          .isEqualTo(resources.allocatedTo("a/b"));
    }
  }

  @Test
  void moreKindsThanAreRememberedAreAllocatedAsWell() throws Exception {
    RoleAllocation allocation = new RoleAllocation("a");
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 20; i++) {
        Resources resources = Resources.parse("r" + i + ":1;s" + (20 - i) + ":2", "*");
        assertThat(allocation.of(resources)).isEqualTo(resources.allocatedTo("a"));
      }
    }
  }
}
