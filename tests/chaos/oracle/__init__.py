"""An independent judge of what a run of the chaos suite left behind.

It reads the practice Billsby's books, the workbook, the desk's database and the journal with code
of its own, and uses nothing of the desk or of the practice Billsby: what they got wrong it must
not get wrong in the same way.
"""

from tests.chaos.oracle.evidence import Evidence, copy_log
from tests.chaos.oracle.judging import CHECKS, judge
from tests.chaos.oracle.violation import Violation

__all__ = ["CHECKS", "Evidence", "Violation", "copy_log", "judge"]
