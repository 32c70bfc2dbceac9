// SPDX-License-Identifier: Apache-2.0

package records

import "fmt"

// Contact is the made-up contact of a number.
func Contact(i int) (name, email, phone string) {
	return fmt.Sprintf("User %d", i), fmt.Sprintf("user%d@example.test", i), fmt.Sprintf("+49301%06d", i)
}
