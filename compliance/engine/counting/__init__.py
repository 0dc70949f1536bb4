"""How laws count. Each rule of counting is one named function with its source; worked examples are its tests.

``COUNTING`` holds every rule under the name that law files use, with the unit of its number.
"""

from compliance.engine.counting import eu, kr, plain, us, world
from compliance.engine.counting.common import Counted, CountingRule
from compliance.engine.counting.kr import kr_days, kr_hours, kr_minutes, kr_months

__all__ = [
    "COUNTING",
    "Counted",
    "CountingRule",
    "kr_days",
    "kr_hours",
    "kr_minutes",
    "kr_months",
]

COUNTING: dict[str, tuple[str, CountingRule]] = {
    # No one country's
    "strict.hours": ("hours", plain.strict_hours),
    "strict.minutes": ("minutes", plain.strict_minutes),
    "calendar.days": ("days", plain.calendar_days),
    "calendar.weeks": ("weeks", plain.calendar_weeks),
    "calendar.months": ("months", plain.calendar_months),
    "calendar.years": ("years", plain.calendar_years),
    "calendar.days_after_year_end": ("days", plain.days_after_year_end),
    "calendar.months_after_year_end": ("months", plain.months_after_year_end),
    "calendar.days_after_quarter_end": ("days", plain.days_after_quarter_end),
    "calendar.months_after_quarter_end": ("months", plain.months_after_quarter_end),
    "business.days": ("business_days", plain.business_days),
    "business.hours": ("hours", plain.business_hours),
    "bank.business_days": ("business_days", plain.bank_business_days),
    # Republic of Korea
    "kr.hours": ("hours", kr.kr_hours),
    "kr.minutes": ("minutes", kr.kr_minutes),
    "kr.days": ("days", kr.kr_days),
    "kr.weeks": ("weeks", kr.kr_weeks),
    "kr.months": ("months", kr.kr_months),
    "kr.years": ("years", kr.kr_years),
    "kr.business_days": ("business_days", kr.kr_business_days),
    # European Union, EEA, United Kingdom
    "eu1182.hours": ("hours", eu.eu1182_hours),
    "eu1182.days": ("days", eu.eu1182_days),
    "eu1182.weeks": ("weeks", eu.eu1182_weeks),
    "eu1182.months": ("months", eu.eu1182_months),
    "eu1182.years": ("years", eu.eu1182_years),
    "eu1182.working_days": ("business_days", eu.eu1182_working_days),
    "eu.national.hours": ("hours", eu.national_hours),
    "eu.national.days": ("days", eu.national_days),
    "eu.national.weeks": ("weeks", eu.national_weeks),
    "eu.national.months": ("months", eu.national_months),
    "eu.national.years": ("years", eu.national_years),
    "eu.national.working_days": ("business_days", eu.national_working_days),
    "eu.mdr.days": ("days", eu.mdr_days),
    "dora.hours": ("hours", eu.dora_hours),
    "dora.months": ("months", eu.dora_months),
    # United States
    "us.hours": ("hours", us.us_hours),
    "us.days": ("days", us.us_days),
    "us.weeks": ("weeks", us.us_weeks),
    "us.months": ("months", us.us_months),
    "us.years": ("years", us.us_years),
    "us.business_days": ("business_days", us.us_business_days),
    "us.fcc_business_days": ("business_days", us.us_fcc_business_days),
    "us.full_business_days": ("business_days", us.us_full_business_days),
    "us.edgar": ("business_days", us.us_edgar),
    "us.days_after_year_end": ("days", plain.days_after_year_end),
    "us.days_after_quarter_end": ("days", plain.days_after_quarter_end),
    # Asia and the Pacific
    "jp.appi.days": ("days", world.jp_appi_days),
    "jp.appi.guidance_days": ("days", world.jp_appi_guidance_days),
    "jp.days": ("days", world.jp_days),
    "jp.months": ("months", world.jp_months),
    "sg.days": ("days", world.sg_days),
    "hk.days": ("days", world.hk_days),
    "my.days": ("days", world.my_days),
    "tw.days": ("days", world.tw_days),
    "tw.months": ("months", world.tw_months),
    "cn.days": ("days", world.cn_days),
    "in.days": ("days", world.in_days),
    "au.days": ("days", world.au_days),
    "au.business_days": ("business_days", world.au_business_days),
    "th.days": ("days", world.th_days),
    "vn.days": ("days", world.vn_days),
    "ph.days": ("days", world.ph_days),
    # The rest of the world
    "ch.days": ("days", world.ch_days),
    "ch.finma_hours": ("hours", world.ch_finma_hours),
    "ca.days": ("days", world.ca_days),
    "br.business_days": ("business_days", world.br_business_days),
    "cl.days": ("days", world.cl_days),
    "co.business_days": ("business_days", world.co_business_days),
    "eg.working_days": ("business_days", world.eg_working_days),
    "tr.days": ("days", world.tr_days),
    "il.days": ("days", world.il_days),
    "za.days": ("days", world.za_days),
    "ke.days": ("days", world.ke_days),
}
