// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Billing periods: calendar months written as YYYYMM
library BillingPeriod {
    uint256 private constant FIRST_YEAR = 2000;
    uint256 private constant LAST_YEAR = 9999;

    /// @dev Days from 0000-03-01 to 1970-01-01 in the proleptic Gregorian calendar.
    uint256 private constant EPOCH_DAY = 719_468;

    /// @notice Whether `period` names a month of the years 2000 to 9999.
    function isValid(uint32 period) internal pure returns (bool) {
        uint256 year = period / 100;
        uint256 month = period % 100;
        return year >= FIRST_YEAR && year <= LAST_YEAR && month >= 1 && month <= 12;
    }

    /// @notice The first second of a valid period in UTC, as a Unix time.
    /// @dev Years are counted from March, so that the leap day ends them: the months from March on then start
    /// after floor((153 * m + 2) / 5) days, m = 0 for March.
    function startOf(uint32 period) internal pure returns (uint256) {
        // A valid period keeps every operand below 2^22 and the difference positive: nothing here wraps.
        // Slither: the divisions are meant to round, year and month being digits of the period.
        // slither-disable-start divide-before-multiply
        unchecked {
            uint256 year = period / 100;
            uint256 month = period % 100;
            if (month < 3) {
                year -= 1;
                month += 12;
            }
            uint256 leapDays = year / 4 - year / 100 + year / 400;
            return (365 * year + leapDays + (153 * (month - 3) + 2) / 5 - EPOCH_DAY) * 1 days;
        }
        // slither-disable-end divide-before-multiply
    }
}
